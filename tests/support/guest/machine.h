/* The PC around the guest, as QEMU's machine `pc` with SeaBIOS leaves it: serial port, timers, rest, power.
 *
 * Interrupts are on only while the processor halts.
 */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

void machine_start(void);

/* Halt until something happens, a byte on the serial port for one; @ms > 0: at most about that long. */
void machine_rest(uint32_t ms);

bool serial_waits(void);
/* The next byte; only after serial_waits(). */
char serial_read(void);
void serial_write(const char *text);

/* The power management timer, 3579.545 a millisecond: 24 bits that go round after 4.6 s. */
uint32_t timer_ticks(void);
/* Milliseconds from @since to now, if they are less than 4600. */
uint32_t timer_ms(uint32_t since);
/* Keep the processor busy. */
void timer_burn(uint32_t ms);

/* What ACPI would tell an operating system. A device's removal is granted at once. True: devices came or went. */
bool power_devices_changed(void);
/* True once after somebody pressed the power button (virsh shutdown). */
bool power_button(void);
void power_off(void);
void power_reset(void);

#endif
