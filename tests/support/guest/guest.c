/* A guest that does as it is told on its first serial port, so that a hypervisor's counters can be known to the byte.
 *
 * A line is an order, and gets a line in answer when all of it is done: "ok", "ok ..." or "error: ...".
 *
 *   read N [SIZE [DISK]]      N requests of SIZE bytes (512) from the DISK-th disk (0), one at a time
 *   write N [SIZE [DISK]]     the same to it
 *   send N SIZE [NIC]         N broadcast frames of SIZE bytes (14 to 1514) by the NIC-th interface (0)
 *   received                  "ok FRAMES BYTES": what came in since the guest's start
 *   burn MS                   keep the processor busy
 *   memory [ALL FREE]         tell the balloon's statistics from now on, KiB; without numbers: leave them as they are
 *   work [BLOCKS FRAMES MS]   "ok", and every second until the next order some of all that (20 20 50)
 *   worked                    "ok TURNS": how often, since the guest's start
 *   ping [WORD]               "pong WORD"
 *   poweroff, reboot          "ok", and then it does
 *
 * It says "ready" when it starts, and first does what its command line says behind "--". It grants the removal of a
 * device at once, finds new ones, and turns itself off when the power button is pressed.
 */
#include <stddef.h>

#include "machine.h"
#include "virtio.h"

#define WORDS                  4
#define LINE_SIZE              128
#define SECOND_MS              1000
#define WORK_FRAME             1000
#define MULTIBOOT_COMMAND_LINE 4 /* the field's place, in words */

struct order {
    const char *name;
    int least, most; /* words behind the name */
    const char *(*act)(int count, const uint32_t *number);
};

void guest_main(const uint32_t *multiboot);

static void write_number(uint32_t n)
{
    char text[11], *at = text + sizeof(text) - 1;
    *at = 0;
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    serial_write(at);
}

static void look_around(void)
{
    if (power_devices_changed())
        virtio_scan();
    virtio_receive();
    balloon_attend();
    if (power_button())
        power_off();
}

static const char *transfer(int count, const uint32_t *number,
                            const char *one(uint32_t index, uint32_t turn, uint32_t size))
{
    uint32_t size = count > 1 ? number[1] : BLOCK_SIZE, disk = count > 2 ? number[2] : 0;
    const char *wrong = NULL;
    if (size == 0 || size % BLOCK_SIZE || size > REQUEST_MOST)
        return "a request is whole blocks of 512 bytes, at most 65536 bytes";
    for (uint32_t i = 0; i < number[0] && !wrong; i++)
        wrong = one(disk, i, size);
    return wrong;
}

static const char *order_read(int count, const uint32_t *number)
{
    return transfer(count, number, disk_read);
}

static const char *order_write(int count, const uint32_t *number)
{
    return transfer(count, number, disk_write);
}

static const char *order_send(int count, const uint32_t *number)
{
    const char *wrong = NULL;
    if (number[1] < FRAME_LEAST || number[1] > FRAME_MOST)
        return "a frame has 14 to 1514 bytes";
    for (uint32_t i = 0; i < number[0] && !wrong; i++) {
        wrong = nic_send(count > 2 ? number[2] : 0, number[1]);
        virtio_receive();
    }
    return wrong;
}

static const char *order_received(int count, const uint32_t *number)
{
    (void)count;
    (void)number;
    virtio_receive();
    serial_write("ok ");
    write_number(received.frames);
    serial_write(" ");
    write_number(received.bytes);
    serial_write("\n");
    return "";
}

static const char *order_burn(int count, const uint32_t *number)
{
    (void)count;
    timer_burn(number[0]);
    return NULL;
}

static const char *order_memory(int count, const uint32_t *number)
{
    if (count == 1)
        return "all of it, and what is free";
    if (count == 2)
        return balloon_tell(number[0], number[1]);
    balloon_be_silent();
    return NULL;
}

static uint32_t turns_worked;

static const char *order_work(int count, const uint32_t *number)
{
    uint32_t blocks = count > 0 ? number[0] : 20, frames = count > 1 ? number[1] : 20, ms = count > 2 ? number[2] : 50;
    if (ms > SECOND_MS)
        return "a second has 1000 ms";
    serial_write("ok\n");
    while (!serial_waits()) {
        uint32_t since = timer_ticks(), disk[] = {blocks}, nic[] = {frames, WORK_FRAME};
        order_write(1, disk);
        order_read(1, disk);
        order_send(2, nic);
        timer_burn(ms);
        turns_worked++;
        for (uint32_t gone; (gone = timer_ms(since)) < SECOND_MS && !serial_waits(); look_around())
            machine_rest(SECOND_MS - gone);
    }
    return "";
}

static const char *order_worked(int count, const uint32_t *number)
{
    (void)count;
    (void)number;
    serial_write("ok ");
    write_number(turns_worked);
    serial_write("\n");
    return "";
}

static const char *order_poweroff(int count, const uint32_t *number)
{
    (void)count;
    (void)number;
    serial_write("ok\n");
    power_off();
    return "";
}

static const char *order_reboot(int count, const uint32_t *number)
{
    (void)count;
    (void)number;
    serial_write("ok\n");
    power_reset();
    return "";
}

static const struct order orders[] = {
    {"read", 1, 3, order_read},         {"write", 1, 3, order_write},   {"send", 2, 3, order_send},
    {"received", 0, 0, order_received}, {"burn", 1, 1, order_burn},     {"work", 0, 3, order_work},
    {"worked", 0, 0, order_worked},     {"memory", 0, 2, order_memory}, {"poweroff", 0, 0, order_poweroff},
    {"reboot", 0, 0, order_reboot},
};

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Cut @line into words, in place. Their number; one more than WORDS if there are more. */
static int split(char *line, char *word[WORDS])
{
    int count = 0;
    for (;;) {
        while (*line == ' ')
            *line++ = 0;
        if (!*line || count == WORDS)
            return *line ? count + 1 : count;
        word[count++] = line;
        while (*line && *line != ' ')
            line++;
    }
}

static bool read_number(const char *text, uint32_t *ret)
{
    uint32_t n = 0;
    for (; *text >= '0' && *text <= '9' && n < 400000000u; text++)
        n = n * 10 + (uint32_t)(*text - '0');
    *ret = n;
    return *text == 0;
}

static const char *carry_out(int count, char *const word[WORDS])
{
    uint32_t number[WORDS] = {0};
    for (int i = 1; i < count; i++)
        if (!read_number(word[i], &number[i - 1]))
            return "that is no number";
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (same(orders[i].name, word[0])) {
            if (count - 1 < orders[i].least || count - 1 > orders[i].most)
                return "too few or too many words";
            virtio_scan();
            return orders[i].act(count - 1, number);
        }
    return "no such order";
}

/* An act that has answered for itself returns "". */
static void obey(char *line)
{
    char *word[WORDS];
    int count = split(line, word);
    if (count == 0)
        return;
    if (count <= WORDS && same(word[0], "ping")) {
        serial_write("pong ");
        serial_write(count > 1 ? word[1] : "");
        serial_write("\n");
        return;
    }
    const char *wrong = count > WORDS ? "too many words" : carry_out(count, word);
    if (wrong && !*wrong)
        return;
    serial_write(wrong ? "error: " : "ok");
    serial_write(wrong ? wrong : "");
    serial_write("\n");
}

static void next_line(char line[LINE_SIZE])
{
    size_t length = 0;
    for (;;) {
        while (!serial_waits()) {
            machine_rest(0);
            look_around();
        }
        char c = serial_read();
        if (c == '\n' || c == '\r')
            break;
        if (length < LINE_SIZE - 1)
            line[length++] = c;
    }
    line[length] = 0;
}

/* What stands behind "--" on the command line, "" if nothing does. */
static void first_order(const char *text, char line[LINE_SIZE])
{
    size_t length = 0;
    while (*text && !(text[0] == ' ' && text[1] == '-' && text[2] == '-'))
        text++;
    for (text += *text ? 3 : 0; text[length] && length < LINE_SIZE - 1; length++)
        line[length] = text[length];
    line[length] = 0;
}

void guest_main(const uint32_t *multiboot)
{
    char line[LINE_SIZE];
    first_order((const char *)(uintptr_t)multiboot[MULTIBOOT_COMMAND_LINE], line);
    machine_start();
    virtio_scan();
    serial_write("ready\n");
    obey(line);
    for (;;) {
        next_line(line);
        obey(line);
    }
}
