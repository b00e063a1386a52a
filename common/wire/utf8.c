#include "utf8.h"

static size_t length_by_first(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t utf8_sequence(const uint8_t *s, size_t left)
{
    size_t n = length_by_first(s[0]);
    if (n < 2)
        return n;
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
                 (s[0] == 0xf4 && s[1] > 0x8f);
    return wrong ? 0 : n;
}

static bool ascii(struct text t)
{
    size_t i = 0;
    for (; i + 8 <= t.len; i += 8) {
        uint64_t word;
        memcpy(&word, t.data + i, sizeof word);
        /* Neither a high bit nor a zero byte (the classic test for a zero byte in a word). */
        if ((word | (word - 0x0101010101010101ULL)) & 0x8080808080808080ULL)
            return false;
    }
    for (; i < t.len; i++)
        if (t.data[i] <= 0)
            return false;
    return true;
}

bool utf8_valid(struct text t)
{
    if (ascii(t))
        return true;
    for (size_t i = 0, n; i < t.len; i += n) {
        n = t.data[i] ? utf8_sequence((const uint8_t *)t.data + i, t.len - i) : 0;
        if (n == 0)
            return false;
    }
    return true;
}
