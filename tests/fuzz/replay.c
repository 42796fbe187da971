/* SPDX-License-Identifier: Apache-2.0
 *
 * replay FILE|FOLDER...: feeds every file, also of the folders, to the parser that this is linked with.  What ends a
 * fuzzer ends this too; there must be at least one file. */
#include "fuzz/fuzz.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Returns 1, or 0 for what is no file. */
static int feed(const char *path) {
    struct stat about;
    FILE *file = stat(path, &about) == 0 && S_ISREG(about.st_mode) ? fopen(path, "rb") : NULL;
    if (file == NULL)
        return 0;
    /* Exactly as large as the file, so that a tool that checks memory sees a read past its end. */
    size_t size = (size_t)about.st_size;
    uint8_t *data = malloc(size ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size)
        fuzz_fail(path);
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

int main(int argc, char **argv) {
    int fed = 0;
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            fed += feed(path);
        }
        if (folder != NULL)
            closedir(folder);
        else
            fed += feed(argv[i]);
    }
    printf("%d files\n", fed);
    return fed > 0 ? 0 : 1;
}
