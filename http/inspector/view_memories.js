// Browse: the list at the left, one memory at the right. On a narrow screen, one of the two.
import { fill, h } from "./dom.js";
import { makeDetail } from "./memory_detail.js";
import { makeList } from "./memory_list.js";
import { empty } from "./notice.js";
import { current, go, link } from "./router.js";

export const title = "Memories";

export function mount(page, route) {
  const listPane = h("section", { class: "pane list-pane", "aria-label": "Memories" });
  const detailPane = h("section", { class: "pane detail-pane", "aria-label": "Memory" });
  fill(page, h("div", { class: "split" }, listPane, detailPane));

  const list = makeList(listPane, {
    session: route.params.session ?? "",
    onOpen: (id) => go(link("memories", id, current().params), { replace: true }),
  });
  let detail = null;
  let now = { session: route.params.session ?? "" };

  const showDetail = (id) => {
    page.classList.toggle("has-detail", id !== "");
    list.mark(id);
    detail?.leave();
    detail = null;
    if (id === "") {
      fill(detailPane, empty("Nothing chosen",
        "Choose a memory to read it, see what it was before, edit or forget it."));
      return;
    }
    detail = makeDetail(detailPane, id, {
      onChanged: (record) => list.replace(record),
      onForgotten: (gone) => {
        list.remove(gone);
        go(link("memories", "", current().params), { replace: true });
        list.focus();
      },
      onBack: () => go(link("memories", "", current().params)),
    });
  };
  showDetail(route.id);

  return {
    update(next) {
      const chosen = next.params.session ?? "";
      if (chosen !== now.session) list.load(chosen);
      now = { session: chosen };
      showDetail(next.id);
    },
    key(event) {
      if (event.key === "Escape" && current().id) {
        go(link("memories", "", current().params));
        list.focus();
      } else if (event.key === "e" && detail) {
        event.preventDefault();
        detail.edit();
      } else {
        list.key(event);
      }
    },
    leave() {
      list.leave();
      detail?.leave();
    },
  };
}
