"""
Of the BPF programs with these ids: type, name, and how often the code that the kernel has made of it takes its stack from
memory of the CPU, `add %gs:OFFSET,%r9` (arch/x86/net/bpf_jit_comp.c), a line each. By bpf(2), whose structures these are.
"""
import ctypes
import struct
import sys

SYS_BPF = 321
BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD = 13, 15
INFO_BYTES = 232
PRIVATE_STACK = bytes.fromhex("654c030c25")

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    result = libc.syscall(SYS_BPF, command, ctypes.create_string_buffer(attributes, 128), 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return result


for id in map(int, sys.argv[1:]):
    fd = bpf(BPF_PROG_GET_FD_BY_ID, struct.pack("<III", id, 0, 0))
    image = ctypes.create_string_buffer(1 << 20)
    head = struct.pack("<II8sIIQ", 0, 0, b"", len(image), 0, ctypes.addressof(image))
    info = ctypes.create_string_buffer(head, INFO_BYTES)
    bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("<IIQ", fd, INFO_BYTES, ctypes.addressof(info)))
    kind, _, _, size = struct.unpack_from("<II8sI", info)
    name = info.raw[64:80].split(b"\0")[0].decode()
    print(kind, name, image.raw[:size].count(PRIVATE_STACK))
