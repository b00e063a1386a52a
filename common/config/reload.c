#include <errno.h>
#include <stdlib.h>

#include "pluvio/config/schema.h"
#include "schema_value.h"

static void move(const struct option *o, void *from, void *to)
{
    option_clear(o, to);
    memcpy(option_at(o, to), option_at(o, from), option_size(o->type));
    memset(option_at(o, from), 0, option_size(o->type));
}

int schema_reload(const struct schema *s, const char *path, size_t settings_size, void *settings, struct buf *mistakes,
                  struct buf *notes)
{
    return schema_reload_line(s, NULL, 0, NULL, path, settings_size, settings, mistakes, notes);
}

int schema_reload_line(const struct schema *s, const struct schema *switches, int argc, char **argv, const char *path,
                       size_t settings_size, void *settings, struct buf *mistakes, struct buf *notes)
{
    void *fresh = calloc(1, settings_size);
    struct error error;
    if (!fresh)
        return -ENOMEM;
    int r = schema_defaults(s, fresh, &error);
    if (r)
        buf_addf(mistakes, "%s\n", error.text);
    if (r == 0)
        r = schema_read_file(s, path, fresh, mistakes);
    if (r == 0 && !command_line_win(s, switches, argc, argv, fresh, mistakes))
        r = -EINVAL;
    size_t before = mistakes->len;
    if (r == 0 && s->check)
        s->check(fresh, mistakes);
    r = mistakes->len > before ? -EINVAL : r;
    for (size_t i = 0; r == 0 && i < s->count; i++) {
        const struct option *o = &s->options[i];
        if (option_equal(o, fresh, settings))
            continue;
        if (o->reloadable)
            move(o, fresh, settings);
        else
            buf_addf(notes, "%s: changed in %s, takes effect at the next start\n", o->name, path);
    }
    schema_free(s, fresh);
    free(fresh);
    return r;
}
