/* Virtio disks, network interfaces and the memory balloon on the first PCI bus, by their legacy registers, one request
 * at a time.
 *
 * Legacy, since it is small: a transitional device, which is QEMU's default on machine `pc`, has it.
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include <stdint.h>

#define BLOCK_SIZE   512u
#define REQUEST_MOST 65536u
#define FRAME_LEAST  14u
#define FRAME_MOST   1514u

/* Find what is there now. New devices are started, with buffers for frames to come; known ones go on. */
void virtio_scan(void);
/* Take what has been received. */
void virtio_receive(void);
/* Frames received since the guest's start, and their bytes without virtio's header. */
struct received {
    uint32_t frames, bytes;
};
extern struct received received;

/* One request of @size bytes, a multiple of BLOCK_SIZE up to REQUEST_MOST, to the @index-th disk, as the @turn-th one:
 * each goes to the blocks after the last one's, from the first again at the end. NULL, or what went wrong. */
const char *disk_read(uint32_t index, uint32_t turn, uint32_t size);
const char *disk_write(uint32_t index, uint32_t turn, uint32_t size);
/* One broadcast frame of @size bytes by the @index-th interface. */
const char *nic_send(uint32_t index, uint32_t size);

/* From now on answer whoever asks for statistics with these, KiB: all memory, and how much of it is free. Whatever size
 * is asked for is taken to have been reached at once. NULL, or what went wrong. */
const char *balloon_tell(uint32_t all, uint32_t free);
void balloon_be_silent(void);
void balloon_attend(void);

#endif
