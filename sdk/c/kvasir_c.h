/* kvasir for C and for whatever speaks it: opaque handles, status codes, JSON for what has many
 * fields.
 *
 * Every call gives a kvasir_code. Text is UTF-8, ends with NUL, and is never kept after the call.
 * Text that a call gives out belongs to the caller: kvasir_text_free(). What went wrong in the last
 * call of this thread: kvasir_last_error(). A handle may be used from many threads; close it once,
 * when no call runs.
 */
#ifndef KVASIR_C_H_
#define KVASIR_C_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KVASIR_EXPORT __attribute__((visibility("default")))
#else
#define KVASIR_EXPORT
#endif

/* Grows when something is added; a program made for version n works with every later one. */
#define KVASIR_ABI_VERSION 1

/* As kvasir::StatusCode: the numbers never change. */
typedef enum kvasir_code {
  KVASIR_OK = 0,
  KVASIR_INVALID_ARGUMENT = 1,
  KVASIR_NOT_FOUND = 2,
  KVASIR_PERMISSION_DENIED = 3,
  KVASIR_CONFLICT = 4,
  KVASIR_CORRUPTION = 5,
  KVASIR_UNAVAILABLE = 6,
  KVASIR_NO_SPACE = 7,
  KVASIR_CANCELLED = 8,
  KVASIR_INTERNAL = 9,
  KVASIR_KEY_REUSED = 10
} kvasir_code;

typedef struct kvasir_memory kvasir_memory;

/* The version of this interface that the library has. */
KVASIR_EXPORT int kvasir_abi_version(void);
/* For example "0.1.0"; never freed. */
KVASIR_EXPORT const char* kvasir_version(void);
/* One line; valid until the next call of this thread; never NULL, never freed. */
KVASIR_EXPORT const char* kvasir_last_error(void);
KVASIR_EXPORT void kvasir_text_free(char* text);

/* Opens or makes the store in folder `path`; NULL: a temporary one, erased by closing it. `model`
 * is a path, or NULL for the default model. */
KVASIR_EXPORT kvasir_code kvasir_open(const char* path, const char* model, kvasir_memory** memory);
KVASIR_EXPORT void kvasir_close(kvasir_memory* memory);

/* Remembers `text`. `id`, `title`, `space` and `metadata_json` (a flat object) may be NULL.
 * `id_out` may be NULL, else it is given the memory's id. Durable and visible when it returns. */
KVASIR_EXPORT kvasir_code kvasir_remember(kvasir_memory* memory, const char* text, const char* id,
                                          const char* title, const char* space,
                                          const char* metadata_json, char** id_out);

/* The `top_k` best hits as JSON: [{"id","title","text","score"}, …]. `space` and `filter_json` may
 * be NULL. */
KVASIR_EXPORT kvasir_code kvasir_recall(kvasir_memory* memory, const char* query, uint32_t top_k,
                                        const char* space, const char* filter_json,
                                        char** hits_json);

/* Called with each piece of an answer as it is made, whole code points. Not 0: stop asking. */
typedef int (*kvasir_token_callback)(const char* piece, void* user);

/* The answer. `on_token` may be NULL. */
KVASIR_EXPORT kvasir_code kvasir_ask(kvasir_memory* memory, const char* question, const char* space,
                                     uint32_t max_new_tokens, kvasir_token_callback on_token,
                                     void* user, char** answer);

/* Erases one memory for good. KVASIR_NOT_FOUND when there is none. */
KVASIR_EXPORT kvasir_code kvasir_forget(kvasir_memory* memory, const char* id, const char* space);

/* The text of one memory. */
KVASIR_EXPORT kvasir_code kvasir_get(kvasir_memory* memory, const char* id, const char* space,
                                     char** text);

#ifdef __cplusplus
}
#endif

#endif /* KVASIR_C_H_ */
