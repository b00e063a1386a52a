/* What went wrong, in a sentence that a person can act on.
 *
 * Functions return 0 or a negative errno. Those whose failure needs words also take a `struct error *` and fill it
 * exactly when they fail: the text names the thing (file, line, key, address) and what to do. Log or return, not both.
 */
#ifndef PLUVIO_BASE_ERROR_H
#define PLUVIO_BASE_ERROR_H

struct error {
    int code; /* negative errno; 0: no error */
    char text[512];
};

/* Fill @error (may be NULL) and return @code, so that `return error_set(error, -EINVAL, ...)` reads as one step. */
int error_set(struct error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Put "@format: " before the text that @error already holds; keeps and returns its code. */
int error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
