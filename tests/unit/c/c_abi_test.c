/* The C ABI from C: remember, recall, get, forget, ask, and every call told nonsense. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvasir_c.h"

static int failures = 0;

static void expect(int truth, const char* what) {
  if (truth) return;
  ++failures;
  fprintf(stderr, "not so: %s (last error: %s)\n", what, kvasir_last_error());
}

static int stop_at_once(const char* piece, void* user) {
  (void)piece;
  ++*(int*)user;
  return 1;
}

static void nonsense_is_refused(void) {
  char* text = NULL;
  expect(kvasir_abi_version() == KVASIR_ABI_VERSION, "the header is the library's");
  expect(strlen(kvasir_version()) >= 5, "there is a version");
  expect(kvasir_open("x", NULL, NULL) == KVASIR_INVALID_ARGUMENT, "open without a place");
  expect(kvasir_get(NULL, "a", NULL, &text) == KVASIR_INVALID_ARGUMENT, "get without a memory");
  expect(strstr(kvasir_last_error(), "NULL") != NULL, "the error says why");
  expect(kvasir_open("/dev/null/x", "/dev/null/no-model", (kvasir_memory* [1]){NULL}) != KVASIR_OK,
         "a store inside a device");
  kvasir_text_free(NULL);
  kvasir_close(NULL);
}

static void a_memory_comes_and_goes(kvasir_memory* memory) {
  char* id = NULL;
  char* text = NULL;
  char* hits = NULL;
  const char* metadata = "{\"topic\":\"home\"}";
  expect(kvasir_remember(memory, "Ada moved to Lisbon in May.", "ada", "Ada", NULL, metadata,
                         &id) == KVASIR_OK,
         "remember");
  expect(id != NULL && strcmp(id, "ada") == 0, "the id comes back");
  expect(kvasir_recall(memory, "Lisbon", 3, NULL, "{\"topic\":\"home\"}", &hits) == KVASIR_OK,
         "recall");
  expect(hits != NULL && strstr(hits, "\"id\":\"ada\"") != NULL, "the hit is named");
  expect(kvasir_get(memory, "ada", NULL, &text) == KVASIR_OK, "get");
  expect(text != NULL && strcmp(text, "Ada moved to Lisbon in May.") == 0, "the text is whole");
  kvasir_text_free(id);
  kvasir_text_free(text);
  kvasir_text_free(hits);

  int pieces = 0;
  kvasir_ask(memory, "Where does Ada live?", NULL, 16, stop_at_once, &pieces, NULL);
  expect(pieces <= 2, "asking stops when the callback says so");

  expect(kvasir_forget(memory, "ada", NULL) == KVASIR_OK, "forget");
  expect(kvasir_get(memory, "ada", NULL, &text) == KVASIR_NOT_FOUND, "what is forgotten is gone");
}

int main(void) {
  kvasir_memory* memory = NULL;
  nonsense_is_refused();
  const kvasir_code opened = kvasir_open(NULL, NULL, &memory);
  if (opened == KVASIR_UNAVAILABLE) {
    printf("skipped: no model here (%s)\n", kvasir_last_error());
    return failures == 0 ? 77 : 1;
  }
  expect(opened == KVASIR_OK, "open");
  if (memory != NULL) a_memory_comes_and_goes(memory);
  kvasir_close(memory);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
