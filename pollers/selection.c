#include "selection.h"

#include <fnmatch.h>

bool selection_wants(const struct selection *s, const char *const *names, size_t count, bool otherwise)
{
    bool wanted = otherwise && (s->count == 0 || s->patterns[0][0] == '!');
    for (size_t i = 0; i < s->count; i++) {
        bool without = s->patterns[i][0] == '!';
        for (size_t n = 0; n < count; n++)
            if (names[n] && fnmatch(s->patterns[i] + without, names[n], 0) == 0)
                wanted = !without;
    }
    return wanted;
}
