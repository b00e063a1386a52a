# Where the multiboot loader enters: segments, interrupt gates and a stack of our own, then guest_main(its information).

.set FLAGS, 0x00000002                  # give memory information: QEMU fills in the command line regardless

.section .multiboot, "a"
.balign 4
    .long 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)

.section .text
.globl start
start:
    cli
    cld
    mov $stack_top, %esp
    lgdt gdt_pointer
    ljmp $8, $flat
flat:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $gates, %edi                    # every vector: flat code, 32-bit interrupt gate, present
    mov $interrupted, %eax
    mov $256, %ecx
fill:
    mov %ax, (%edi)
    movw $8, 2(%edi)
    movw $0x8e00, 4(%edi)
    mov %eax, %edx
    shr $16, %edx
    mov %dx, 6(%edi)
    add $8, %edi
    loop fill
    lidt idt_pointer
    push %ebx
    call guest_main
stop:
    hlt
    jmp stop

# Any interrupt only ends a halt: whoever halted comes back with interrupts off and looks what there is.
interrupted:
    push %eax
    mov $0x20, %al
    out %al, $0xa0
    out %al, $0x20
    pop %eax
    andl $~0x200, 8(%esp)
    iret

.globl halt
halt:
    sti                                 # takes effect after the next instruction: nothing is lost between
    hlt
    ret

.section .rodata
.balign 8
gdt:
    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
idt_pointer:
    .word 256 * 8 - 1
    .long gates

.section .bss
.balign 16
gates:
    .skip 256 * 8
    .skip 16384
stack_top:

.section .note.GNU-stack, "", @progbits
