/* A program in C: `consumer_c [with-model]`. */
#include <kvasir_c.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  kvasir_memory* memory = NULL;
  char* text = NULL;
  if (kvasir_abi_version() < KVASIR_ABI_VERSION) return 1;
  if (argc < 2 || strcmp(argv[1], "with-model") != 0) {
    return kvasir_remember(NULL, "x", NULL, NULL, NULL, NULL, NULL) == KVASIR_INVALID_ARGUMENT ? 0
                                                                                               : 1;
  }
  if (kvasir_open(NULL, NULL, &memory) != KVASIR_OK ||
      kvasir_remember(memory, "Ada moved to Lisbon in May.", "ada", NULL, NULL, NULL, NULL) !=
          KVASIR_OK ||
      kvasir_get(memory, "ada", NULL, &text) != KVASIR_OK) {
    fprintf(stderr, "%s\n", kvasir_last_error());
    return 1;
  }
  const int wrong = strcmp(text, "Ada moved to Lisbon in May.") != 0;
  kvasir_text_free(text);
  kvasir_close(memory);
  return wrong;
}
