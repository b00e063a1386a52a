# A guest in one boot sector: reads and writes as many sectors of its disk as its last bytes say, in one request each,
# then halts, or powers itself off after some ticks of its clock (18.2 a second).
.code16
.globl _start
_start:
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    movb reads, %al
    movb $0x02, %ah
    call transfer
    movb writes, %al
    movb $0x03, %ah
    call transfer
    movzbl ticks, %ecx
    test %cx, %cx
    jz rest
    add 0x46c, %ecx
again:
    hlt
    cmp %ecx, 0x46c
    jb again
    mov $0x604, %dx         # PIIX4's power management control: soft off
    mov $0x2000, %ax
    outw %ax, %dx
rest:
    hlt
    jmp rest

transfer:                   # al sectors from the second one on; ah 2: read, 3: write
    test %al, %al
    jz none
    mov $0x0002, %cx
    mov $0x0080, %dx
    mov $0x8000, %bx
    int $0x13
none:
    ret

.org 500
reads:  .byte 0
writes: .byte 0
ticks:  .byte 0
.org 510
.word 0xaa55
