/* replay FOLDER ...: each file of the folders through a fuzz target, once. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static void run_file(const char *path)
{
    struct buf content = {0};
    FILE *f = fopen(path, "re");
    if (!f) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    for (size_t n = 1; n;) {
        char *to = buf_reserve(&content, 4096);
        n = to ? fread(to, 1, 4096, f) : 0;
        content.len += n;
    }
    fclose(f);
    /* A block as long as the content, so that a sanitizer sees one byte too far. */
    uint8_t *exact = malloc(content.len ? content.len : 1);
    if (!exact || content.failed)
        abort();
    if (content.len)
        memcpy(exact, content.data, content.len);
    LLVMFuzzerTestOneInput(exact, content.len);
    free(exact);
    buf_free(&content);
}

static int run_folder(const char *folder)
{
    int count = 0;
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        exit(EXIT_FAILURE);
    }
    for (struct dirent *entry; (entry = readdir(d));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        count++;
    }
    closedir(d);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += run_folder(argv[i]);
    printf("%d files\n", count);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
