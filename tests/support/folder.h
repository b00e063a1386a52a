/* A folder of a test's own, gone afterwards. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <stddef.h>

#define FOLDER_SIZE 256

/* Make it below $TMPDIR or /tmp; its path into @out of FOLDER_SIZE bytes. Aborts if it cannot. */
const char *folder_make(char *out);
/* Remove it with all that is in it. */
void folder_remove(const char *path);
/* "<folder>/<name>" into @out of @size bytes. */
const char *folder_path(const char *folder, const char *name, char *out, size_t size);

#endif
