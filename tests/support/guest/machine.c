#include "machine.h"

#include "port.h"

#define COM1          0x3f8
#define LINE_STATUS   (COM1 + 5)
#define HAS_BYTE      0x01
#define CAN_SEND      0x20
#define ALL_SENT      0x40
#define PM_STATUS     0x600
#define PM_ENABLE     0x602
#define PM_CONTROL    0x604
#define PM_TIMER      0x608
#define PM_BUTTON     0x0100
#define SOFT_OFF      0x2000
#define GPE_STATUS    0xafe0
#define GPE_ENABLE    0xafe2
#define GPE_PCI       0x02
#define HOTPLUG_LEAVE 0xae04
#define HOTPLUG_EJECT 0xae08
#define HOTPLUG_BUS   0xae10
#define TICKS_A_MS    3580u
#define TIMER_MASK    0xffffffu
#define PIT_A_MS      1193u
#define PIT_MOST_MS   50u
#define FIRST_VECTOR  0x20
#define ALL_BUT_THESE ((uint16_t) ~(1u << 0 | 1u << 2 | 1u << 4 | 1u << 9 | 1u << 10 | 1u << 11))

void halt(void);

static void pic_start(void)
{
    out8(0x20, 0x11);
    out8(0xa0, 0x11);
    out8(0x21, FIRST_VECTOR);
    out8(0xa1, FIRST_VECTOR + 8);
    out8(0x21, 4);
    out8(0xa1, 2);
    out8(0x21, 1);
    out8(0xa1, 1);
    out8(0x21, ALL_BUT_THESE & 0xff);
    out8(0xa1, ALL_BUT_THESE >> 8);
}

/* Interrupt line 0 once after @count, and then never again. */
static void pit_once(uint32_t count)
{
    out8(0x43, 0x30);
    out8(0x40, (uint8_t)count);
    out8(0x40, (uint8_t)(count >> 8));
}

/* No FIFO: bytes wait in QEMU's socket until they are read, so none is lost while the guest is busy or starts. */
static void serial_start(void)
{
    out8(COM1 + 3, 0x03);
    out8(COM1 + 4, 0x0b);
    out8(COM1 + 1, 0x01);
}

void machine_start(void)
{
    pic_start();
    pit_once(1);
    serial_start();
    out16(PM_STATUS, PM_BUTTON);
    out16(PM_ENABLE, PM_BUTTON);
    out8(GPE_ENABLE, GPE_PCI);
}

void machine_rest(uint32_t ms)
{
    if (ms)
        pit_once((ms < PIT_MOST_MS ? ms : PIT_MOST_MS) * PIT_A_MS);
    if (!serial_waits())
        halt();
}

bool serial_waits(void)
{
    return in8(LINE_STATUS) & HAS_BYTE;
}

char serial_read(void)
{
    return (char)in8(COM1);
}

void serial_write(const char *text)
{
    for (; *text; text++) {
        while (!(in8(LINE_STATUS) & CAN_SEND))
            breathe();
        out8(COM1, (uint8_t)*text);
    }
}

uint32_t timer_ticks(void)
{
    return in32(PM_TIMER) & TIMER_MASK;
}

uint32_t timer_ms(uint32_t since)
{
    return ((timer_ticks() - since) & TIMER_MASK) / TICKS_A_MS;
}

void timer_burn(uint32_t ms)
{
    for (uint32_t done = 0; done < ms;) {
        uint32_t slice = ms - done < 1000 ? ms - done : 1000, since = timer_ticks();
        while (timer_ms(since) < slice)
            for (volatile uint32_t i = 0; i < 10000;)
                i++;
        done += slice;
    }
}

bool power_devices_changed(void)
{
    if (!(in8(GPE_STATUS) & GPE_PCI))
        return false;
    out8(GPE_STATUS, GPE_PCI);
    out32(HOTPLUG_BUS, 0);
    uint32_t leaving = in32(HOTPLUG_LEAVE);
    for (uint32_t slot = 0; slot < 32; slot++)
        if (leaving & 1u << slot)
            out32(HOTPLUG_EJECT, 1u << slot);
    return true;
}

bool power_button(void)
{
    if (!(in16(PM_STATUS) & PM_BUTTON))
        return false;
    out16(PM_STATUS, PM_BUTTON);
    return true;
}

static void serial_drain(void)
{
    while (!(in8(LINE_STATUS) & ALL_SENT))
        breathe();
}

void power_off(void)
{
    serial_drain();
    out16(PM_CONTROL, SOFT_OFF);
}

void power_reset(void)
{
    serial_drain();
    out8(0xcf9, 0x02);
    out8(0xcf9, 0x06);
}
