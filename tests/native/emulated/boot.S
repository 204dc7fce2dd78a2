/* From a PC's first sector into 64-bit C with AVX-512 switched on. The BIOS loads the first 512 bytes at 0x7c00; they
 * load the rest behind them (linker.ld), turn long mode on and call bare_main. Nothing here but what that takes. */
    .code16
    .section .boot, "ax"
    .globl start
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    movw $SECTORS, %cx
read:                       /* BIOS int 0x13, function 0x42: 32 sectors (16 KiB) at a time, to segment:0 */
    pushw %cx
    movb $0x42, %ah
    movw $packet, %si       /* %dl is still the disk we came from */
    int $0x13
    jc stop
    popw %cx
    addl $32, packet_sector
    addw $0x400, packet_segment
    subw $32, %cx
    ja read

    cli
    /* Page tables at 0x1000, 0x2000, 0x3000: the first 2 MiB as they are. */
    movw $0x100, %ax
    movw %ax, %es
    xorw %di, %di
    xorl %eax, %eax
    movw $0xc00, %cx
    rep stosl
    movl $0x2003, 0x1000
    movl $0x3003, 0x2000
    movl $0x83, 0x3000
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0x40620, %eax     /* CR4: PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx  /* EFER: long mode */
    rdmsr
    orl $0x100, %eax
    wrmsr
    lgdtl gdt_pointer
    movl $0x80000013, %eax  /* CR0: paging, protection, no emulated FPU */
    movl %eax, %cr0
    ljmpl $8, $long_mode
stop:
    hlt
    jmp stop

    .align 4
packet:
    .byte 16, 0
    .word 32, 0
packet_segment:
    .word 0x1000
packet_sector:
    .long 1, 0
    .align 8
gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
    .word 23
    .long gdt

    .code64
long_mode:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    xorl %ecx, %ecx         /* XCR0: x87, SSE, AVX and the three of AVX-512 */
    xorl %edx, %edx
    movl $0xe7, %eax
    xsetbv
    movl $0x9f000, %esp
    call bare_main
1:  hlt
    jmp 1b

    .org 510
    .word 0xaa55
