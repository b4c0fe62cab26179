// What this tab knows: the key and the chosen space. Both go with the tab.
const kKey = "kvasir.key";
const kSpace = "kvasir.space";

export const session = {
  get key() {
    return sessionStorage.getItem(kKey) ?? "";
  },
  set key(value) {
    if (value) sessionStorage.setItem(kKey, value);
    else sessionStorage.removeItem(kKey);
  },
  /// "" is the key's own space, else the server's default one.
  get space() {
    return sessionStorage.getItem(kSpace) ?? "";
  },
  set space(value) {
    if (value) sessionStorage.setItem(kSpace, value);
    else sessionStorage.removeItem(kSpace);
  },
};
