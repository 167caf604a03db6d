#!/bin/bash
# Boots another kernel under emulation and profiles a small Node server on it: does l7prof load and count there?
#   apt-get download linux-image-6.1.0-56-amd64 && scripts/test-kernel.sh linux-image-6.1.0-56-amd64_*.deb
# From 7.0 on an image is two packages, linux-binary-VERSION-amd64 and linux-modules-VERSION-amd64: name both.
# This machine's own root is the guest's, read-only, so what runs is this checkout, built. Needs qemu-system-x86,
# busybox-static, cpio, xz-utils, jq and curl. Not part of npm test: emulation takes minutes. Ends with `ok` or `FAILED`.
set -euo pipefail
: "${1:?usage: scripts/test-kernel.sh linux-image-VERSION-amd64.deb...}"
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "$@"; do dpkg-deb -x "$package" "$work/image"; done
kernel=$(find "$work/image" -name 'vmlinuz*' -type f)
modules="$work/image"

mkdir -p "$work"/initrd/{bin,modules,newroot,proc,sys,dev}
cp "$(command -v busybox)" "$work/initrd/bin/"
# In the order of their dependencies; what a version does not have is built in or not needed.
names="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p"
for name in $names; do
	find "$modules" \( -name "$name.ko" -o -name "$name.ko.xz" \) -exec cp {} "$work/initrd/modules/" \;
done
find "$work/initrd/modules" -name '*.xz' -exec unxz {} +
cat > "$work/initrd/init" <<INIT
#!/bin/busybox sh
for fs in proc sysfs:sys devtmpfs:dev; do /bin/busybox mount -t \${fs%:*} none /\${fs#*:}; done
for name in $names; do [ -f /modules/\$name.ko ] && /bin/busybox insmod /modules/\$name.ko; done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144 host /newroot || /bin/busybox poweroff -f
for fs in proc sys dev; do /bin/busybox mount --move /\$fs /newroot/\$fs; done
/bin/busybox mount -t tmpfs none /newroot/run
/bin/busybox ip link set lo up
exec /bin/busybox chroot /newroot /bin/bash $root/scripts/test-kernel-guest.sh
INIT
chmod +x "$work/initrd/init"
(cd "$work/initrd" && find . | cpio --quiet -o -H newc | gzip -1) > "$work/initrd.gz"

timeout 600 qemu-system-x86_64 -accel tcg -m 2048 -smp 2 -nographic -vga none -no-reboot \
	-kernel "$kernel" -initrd "$work/initrd.gz" -append "console=ttyS0 quiet panic=-1 rdinit=/init" \
	-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
	< /dev/null | tee "$work/log"
grep -q '^ok' "$work/log"
