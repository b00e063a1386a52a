#include "support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

const char *folder_make(char *out)
{
    const char *top = getenv("TMPDIR");
    snprintf(out, FOLDER_SIZE, "%s/pluvio-test.XXXXXX", top && *top ? top : "/tmp");
    if (!mkdtemp(out)) {
        perror(out);
        abort();
    }
    return out;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder_path(const char *folder, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", folder, name);
    return out;
}
