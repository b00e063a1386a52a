#include "virtio.h"

#include <stdbool.h>
#include <stddef.h>

#include "port.h"

#define PCI_ADDRESS   0xcf8
#define PCI_DATA      0xcfc
#define PCI_ID        0x00
#define PCI_COMMAND   0x04
#define PCI_BAR       0x10
#define PCI_IO        0x1u
#define PCI_MASTER    0x4u
#define ID_NET        0x10001af4u
#define ID_DISK       0x10011af4u
#define ID_BALLOON    0x10021af4u
#define SLOTS         32u
#define PLUGGED_PORTS 0x8000u /* for devices that came after the firmware gave out ports */
#define PORTS_A_SLOT  0x80u

#define FEATURES      4
#define QUEUE_PAGE    8
#define QUEUE_SIZE    12
#define QUEUE_SELECT  14
#define QUEUE_NOTIFY  16
#define STATUS        18
#define INTERRUPT     19
#define CONFIG        20
#define CACHE_FLUSH   0x200u /* a disk's feature: without it QEMU syncs every write */
#define BALLOON_STATS 0x02u  /* a balloon's feature */
#define STARTED       0x07
#define GONE          0xff

#define PAGE          4096u
#define QUEUE_MOST    256u
#define QUEUE_BYTES   (3 * PAGE)
#define DEVICES       16u
#define BUFFERS       64u /* for frames to come, two descriptors each */
#define LINK          1
#define DEVICE_WRITES 2
#define QUIET         1
#define NET_HEADER    10u
#define DISK_IN       0u
#define DISK_OUT      1u
#define QUEUES        3u /* the balloon's are for inflating, deflating, statistics */
#define STATISTICS    2u
#define STAT_FREE     4u
#define STAT_ALL      5u
#define STAT_USABLE   6u
#define KIB           1024u

struct descriptor {
    uint32_t address, address_high, length;
    uint16_t flags, next;
};

struct available {
    uint16_t flags, index, ring[];
};

struct used {
    uint16_t flags, index;
    struct {
        uint32_t id, length;
    } ring[];
};

struct queue {
    struct descriptor *descriptors;
    struct available *available;
    volatile struct used *used;
    uint16_t size, seen, number;
};

struct device {
    uint32_t slot, id;
    uint16_t ports;
    bool known;
    struct queue queue[QUEUES]; /* a disk's only one; an interface's for receiving and for sending */
};

static struct device devices[DEVICES];
static uint8_t memory[DEVICES][QUEUES][QUEUE_BYTES] __attribute__((aligned(PAGE)));
static uint8_t data[REQUEST_MOST], trash[2048];
struct received received;

static uint32_t address_of(const volatile void *p)
{
    return (uint32_t)(uintptr_t)p;
}

static uint32_t pci_read(uint32_t slot, uint32_t at)
{
    out32(PCI_ADDRESS, 0x80000000u | slot << 11 | at);
    return in32(PCI_DATA);
}

static void pci_write(uint32_t slot, uint32_t at, uint32_t value)
{
    out32(PCI_ADDRESS, 0x80000000u | slot << 11 | at);
    out32(PCI_DATA, value);
}

static uint16_t pci_enable(uint32_t slot)
{
    uint32_t ports = pci_read(slot, PCI_BAR) & ~3u;
    if (!ports) {
        ports = PLUGGED_PORTS + slot * PORTS_A_SLOT;
        pci_write(slot, PCI_BAR, ports);
    }
    pci_write(slot, PCI_COMMAND, (pci_read(slot, PCI_COMMAND) & 0xffff) | PCI_IO | PCI_MASTER);
    return (uint16_t)ports;
}

static bool queue_start(struct device *d, uint16_t number)
{
    struct queue *q = &d->queue[number];
    uint8_t *m = memory[d - devices][number];
    for (uint32_t *word = (uint32_t *)(void *)m; address_of(word) < address_of(m + QUEUE_BYTES); word++)
        *(volatile uint32_t *)word = 0;
    out16(d->ports + QUEUE_SELECT, number);
    uint32_t size = in16(d->ports + QUEUE_SIZE), bytes = size * sizeof(struct descriptor) + 6 + 2 * size;
    if (size < 2 * BUFFERS || size > QUEUE_MOST)
        return false;
    *q = (struct queue){.size = (uint16_t)size, .number = number};
    q->descriptors = (struct descriptor *)(void *)m;
    q->available = (struct available *)(void *)(m + size * sizeof(struct descriptor));
    q->used = (volatile struct used *)(volatile void *)(m + (bytes + PAGE - 1) / PAGE * PAGE);
    out32(d->ports + QUEUE_PAGE, address_of(m) / PAGE);
    return true;
}

static void queue_offer(const struct device *d, struct queue *q, uint16_t head)
{
    q->available->ring[q->available->index % q->size] = head;
    barrier();
    q->available->index++;
    barrier();
    out16(d->ports + QUEUE_NOTIFY, q->number);
}

static void post_buffers(struct device *d)
{
    struct queue *q = &d->queue[0];
    for (uint16_t i = 0; i < 2 * BUFFERS; i += 2) {
        uint16_t next = (uint16_t)(i + 1);
        q->descriptors[i] = (struct descriptor){address_of(trash), 0, NET_HEADER, LINK | DEVICE_WRITES, next};
        q->descriptors[next] =
            (struct descriptor){address_of(trash + NET_HEADER), 0, sizeof(trash) - NET_HEADER, DEVICE_WRITES, 0};
        queue_offer(d, q, i);
    }
}

static uint32_t features(uint32_t id)
{
    return id == ID_DISK ? CACHE_FLUSH : id == ID_BALLOON ? BALLOON_STATS : 0;
}

static bool queues_start(struct device *d)
{
    if (d->id == ID_BALLOON)
        return queue_start(d, STATISTICS);
    return queue_start(d, 0) && (d->id != ID_NET || queue_start(d, 1));
}

static void device_start(struct device *d)
{
    d->ports = pci_enable(d->slot);
    out8(d->ports + STATUS, 0);
    out8(d->ports + STATUS, 0x01);
    out8(d->ports + STATUS, 0x03);
    out32(d->ports + FEATURES, features(d->id));
    if (!queues_start(d))
        return;
    if (d->id != ID_BALLOON)
        d->queue[d->id == ID_NET ? 1 : 0].available->flags = QUIET;
    out8(d->ports + STATUS, STARTED);
    if (d->id == ID_NET)
        post_buffers(d);
    d->known = true;
}

static struct device *device_in(uint32_t slot)
{
    for (uint32_t i = 0; i < DEVICES; i++)
        if (devices[i].known && devices[i].slot == slot)
            return &devices[i];
    return NULL;
}

static void scan_slot(uint32_t slot)
{
    uint32_t id = pci_read(slot, PCI_ID);
    struct device *d = device_in(slot);
    if (d && d->id == id && in8(d->ports + STATUS) == STARTED)
        return;
    if (d)
        d->known = false;
    for (uint32_t i = 0; (id == ID_NET || id == ID_DISK || id == ID_BALLOON) && i < DEVICES; i++)
        if (!devices[i].known) {
            devices[i].slot = slot;
            devices[i].id = id;
            device_start(&devices[i]);
            return;
        }
}

void virtio_scan(void)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        scan_slot(slot);
}

void virtio_receive(void)
{
    for (struct device *d = devices; d < devices + DEVICES; d++) {
        struct queue *q = &d->queue[0];
        if (!d->known || d->id != ID_NET)
            continue;
        in8(d->ports + INTERRUPT);
        for (; q->seen != q->used->index; q->seen++) {
            uint32_t at = q->seen % q->size;
            received.frames++;
            received.bytes += q->used->ring[at].length - NET_HEADER;
            queue_offer(d, q, (uint16_t)q->used->ring[at].id);
        }
    }
}

/* The @index-th device of a kind, by slot. */
static struct device *device_at(uint32_t id, uint32_t index)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        struct device *d = device_in(slot);
        if (d && d->id == id && index-- == 0)
            return d;
    }
    return NULL;
}

/* Have the device work off the chain from the first descriptor on. */
static const char *run(const struct device *d, struct queue *q)
{
    queue_offer(d, q, 0);
    for (uint32_t i = 1; q->used->index == q->seen; i++) {
        breathe();
        if (i % 65536 == 0 && in8(d->ports + STATUS) == GONE)
            return "the device went away";
    }
    q->seen = q->used->index;
    return NULL;
}

static const char *disk_transfer(uint32_t index, uint32_t turn, uint32_t size, uint32_t kind)
{
    struct device *d = device_at(ID_DISK, index);
    if (!d)
        return "no such disk";
    uint32_t blocks = in32(d->ports + CONFIG), each = size / BLOCK_SIZE, places = blocks / each;
    if (places == 0)
        return "the disk is too small";
    static struct {
        uint32_t type, reserved, block, block_high;
    } header;
    static volatile uint8_t status;
    header.type = kind;
    header.block = turn % places * each;
    status = GONE;
    struct queue *q = &d->queue[0];
    uint16_t access = kind == DISK_IN ? DEVICE_WRITES : 0;
    q->descriptors[0] = (struct descriptor){address_of(&header), 0, sizeof(header), LINK, 1};
    q->descriptors[1] = (struct descriptor){address_of(data), 0, size, LINK | access, 2};
    q->descriptors[2] = (struct descriptor){address_of(&status), 0, 1, DEVICE_WRITES, 0};
    const char *wrong = run(d, q);
    return wrong ? wrong : status != 0 ? "the disk failed" : NULL;
}

const char *disk_read(uint32_t index, uint32_t turn, uint32_t size)
{
    return disk_transfer(index, turn, size, DISK_IN);
}

const char *disk_write(uint32_t index, uint32_t turn, uint32_t size)
{
    return disk_transfer(index, turn, size, DISK_OUT);
}

const char *nic_send(uint32_t index, uint32_t size)
{
    static uint8_t header[NET_HEADER], frame[FRAME_MOST];
    struct device *d = device_at(ID_NET, index);
    if (!d)
        return "no such interface";
    for (uint16_t i = 0; i < 6; i++) {
        frame[i] = 0xff;
        frame[6 + i] = in8((uint16_t)(d->ports + CONFIG + i));
    }
    frame[12] = 0x88; /* IEEE's type for local experiments */
    frame[13] = 0xb5;
    struct queue *q = &d->queue[1];
    q->descriptors[0] = (struct descriptor){address_of(header), 0, sizeof(header), LINK, 1};
    q->descriptors[1] = (struct descriptor){address_of(frame), 0, size, 0, 0};
    return run(d, q);
}

static struct {
    uint16_t tag;
    uint32_t low, high;
} __attribute__((packed)) statistics[3];
static bool telling;

const char *balloon_tell(uint32_t all, uint32_t free)
{
    if (!device_at(ID_BALLOON, 0))
        return "no balloon";
    const uint32_t told[][2] = {{STAT_ALL, all}, {STAT_FREE, free}, {STAT_USABLE, free}};
    for (uint32_t i = 0; i < 3; i++) {
        statistics[i].tag = (uint16_t)told[i][0];
        statistics[i].low = told[i][1] * KIB;
    }
    telling = true;
    balloon_attend();
    return NULL;
}

void balloon_be_silent(void)
{
    telling = false;
}

/* The device holds the statistics until somebody wants fresh ones. */
void balloon_attend(void)
{
    struct device *d = device_at(ID_BALLOON, 0);
    if (!d)
        return;
    in8(d->ports + INTERRUPT);
    uint32_t wanted = in32(d->ports + CONFIG);
    if (in32(d->ports + CONFIG + 4) != wanted)
        out32(d->ports + CONFIG + 4, wanted);
    struct queue *q = &d->queue[STATISTICS];
    if (telling && q->available->index == q->used->index) {
        q->descriptors[0] = (struct descriptor){address_of(statistics), 0, sizeof(statistics), 0, 0};
        queue_offer(d, q, 0);
    }
}
