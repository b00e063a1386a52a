#include "archive_name.h"

#define NAME_LIMIT 200 /* of the 255 bytes of a file name, ".rrd" and ".damaged-<time>" behind it */
#define NAME_KEPT  150 /* of a longer one, before its hash */

static bool is_plain(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           (c == '.' && !first);
}

static void add_encoded(struct buf *out, struct text name)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (is_plain(name.data[i], i == 0)) {
            buf_add_char(out, name.data[i]);
            continue;
        }
        buf_add_char(out, '%');
        buf_add_char(out, digits[c >> 4]);
        buf_add_char(out, digits[c & 15]);
    }
}

void archive_name(struct text resource, struct text meter, struct buf *out)
{
    buf_addf(out, "%02x/", (unsigned)(text_hash(resource) & 0xff));
    size_t start = out->len;
    add_encoded(out, resource);
    if (meter.len) {
        buf_add_char(out, '@');
        add_encoded(out, meter);
    }
    if (!out->failed && out->len - start > NAME_LIMIT) {
        uint64_t hash = text_hash((struct text){out->data + start, out->len - start});
        out->len = start + NAME_KEPT;
        buf_addf(out, "~%016llx", (unsigned long long)hash);
    }
    buf_add_string(out, ".rrd");
}
