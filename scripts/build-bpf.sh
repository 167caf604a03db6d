#!/bin/sh
# Compiles bpf/l7prof.bpf.c and tls.bpf.c for x86_64 and arm64 into bpf/prebuilt/, or into the directory given. The same
# compiler gives the same bytes: CI rebuilds and compares. Needs clang 19, bpftool and libbpf's headers.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-"$root/bpf/prebuilt"}
clang=${CLANG:-clang-19}
bpftool=${BPFTOOL:-$(command -v bpftool || echo /usr/sbin/bpftool)}
mkdir -p "$out"
cd "$root/bpf"
for target in x86:x86_64 arm64:arm64; do
for source in l7prof tls; do
	object="$out/$source.${target#*:}.bpf.o"
	"$clang" -g -O2 -std=gnu11 -target bpf -mcpu=v3 -D__TARGET_ARCH_"${target%:*}" \
		-fdebug-compilation-dir=. -ffile-prefix-map="$root"=. \
		-Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-declarations -Wno-compare-distinct-pointer-types \
		-c "$source.bpf.c" -o "$object.tmp"
	# Links statically and leaves the DWARF out, which the kernel does not read.
	"$bpftool" gen object "$object" "$object.tmp"
	rm "$object.tmp"
done
done
