#!/bin/bash
# Boots another kernel under emulation and profiles a small Node server on it: does l7prof load and count there?
#   apt-get download linux-image-6.1.0-56-amd64 && scripts/test-kernel.sh linux-image-6.1.0-56-amd64_*.deb
# From 7.0 on an image is two packages, linux-binary-VERSION-amd64 and linux-modules-VERSION-amd64: name both.
#   scripts/test-kernel.sh arm64
# For amd64 this machine's own root is the guest's, read-only. For arm64 a Debian root is made in tmp/, with its kernel.
# What runs is this checkout, built. Needs qemu-system-x86 (or qemu-system-arm and debootstrap), busybox-static, cpio,
# xz-utils, jq, openssl and curl. Not part of npm test: emulation takes minutes. Ends with `ok` or `FAILED`.
set -euo pipefail
: "${1:?usage: scripts/test-kernel.sh linux-image-VERSION-amd64.deb... | arm64}"
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Nothing is configured, which would take the emulation long: unpacked, these programs run.
make_arm64_root() {
	packages=nodejs,libbpf1,curl,jq,busybox-static,nginx-light,apache2-utils,linux-image-arm64
	debootstrap --foreign --arch=arm64 --variant=minbase --include=$packages trixie "$1"
	for package in "$1"/var/cache/apt/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -xC "$1" --keep-directory-symlink
	done
	for file in passwd group; do cp "$1/usr/share/base-passwd/$file.master" "$1/etc/$file"; done
	ln -sf /bin/busybox "$1/usr/bin/awk"
	for fs in proc sys; do rm -f "$1/$fs" && mkdir "$1/$fs"; done # debootstrap links them to those of this machine
	koffi=$(node -p 'require(process.argv[1]).version' "$root/node_modules/koffi/package.json")
	# Node looks for it there, too, from wherever the checkout is mounted.
	mkdir -p "$1/node_modules/@koromix/koffi-linux-arm64" "$1$root"
	tar -xzC "$1/node_modules/@koromix/koffi-linux-arm64" --strip-components=1 \
		-f "$(cd "$work" && realpath "$(npm pack --silent "@koromix/koffi-linux-arm64@$koffi")")"
}

if [ "$1" = arm64 ]; then
	guest=$root/tmp/arm64
	[ -d "$guest/node_modules" ] || make_arm64_root "$guest"
	busybox=$guest/bin/busybox
	kernel=$(ls "$guest"/boot/vmlinuz-*)
	modules="$guest/usr/lib/modules"
	machine="qemu-system-aarch64 -machine virt -cpu max,pauth-impdef=on"
	console=ttyAMA0
else
	guest=/
	busybox=$(command -v busybox)
	for package in "$@"; do dpkg-deb -x "$package" "$work/image"; done
	kernel=$(find "$work/image" -name 'vmlinuz*' -type f)
	modules="$work/image"
	machine="qemu-system-x86_64 -vga none"
	console=ttyS0
fi

mkdir -p "$root/tmp"
[ -f "$root/tmp/kernel-key.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
	-subj /CN=localhost -keyout "$root/tmp/kernel-key.pem" -out "$root/tmp/kernel-cert.pem" 2> "$work/openssl"
# Where it can be built, exceptions are tested, too.
[ ! -e /usr/include/gnutls/gnutls.h ] || [ "$1" = arm64 ] || g++ -std=c++17 -O2 -pthread -o "$root/tmp/tls-throws" \
	"$root"/test/servers/tls-throws/{main,openssl,gnutls}.cc -lssl -lcrypto -lgnutls
# Likewise Go.
[ "$1" != arm64 ] && architecture=amd64 || architecture=arm64
! command -v go > "$work/which" || GOARCH=$architecture CGO_ENABLED=0 go build -ldflags="-s -w" -o "$root/tmp/kernel-go" \
	"$root/test/servers/go-https.go"
mkdir -p "$work"/initrd/{bin,modules,newroot,proc,sys,dev}
cp "$busybox" "$work/initrd/bin/"
# In the order of their dependencies; what a version does not have is built in or not needed.
names="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p gf128mul ghash-generic crypto_null ctr gcm tls veth sch_netem"
for name in $names; do
	find "$modules" \( -name "$name.ko" -o -name "$name.ko.xz" \) -exec cp {} "$work/initrd/modules/" \;
done
find "$work/initrd/modules" -name '*.xz' -exec unxz {} +
cat > "$work/initrd/init" <<INIT
#!/bin/busybox sh
for fs in proc sysfs:sys devtmpfs:dev; do /bin/busybox mount -t \${fs%:*} none /\${fs#*:}; done
for name in $names; do [ -f /modules/\$name.ko ] && /bin/busybox insmod /modules/\$name.ko; done
share="/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144"
\$share guest /newroot || /bin/busybox poweroff -f
[ $guest = / ] || \$share checkout /newroot$root
for fs in proc sys dev; do /bin/busybox mount --move /\$fs /newroot/\$fs; done
/bin/busybox mount -t tmpfs none /newroot/run
/bin/busybox ip link set lo up
exec /bin/busybox chroot /newroot /bin/bash $root/scripts/test-kernel-guest.sh
INIT
chmod +x "$work/initrd/init"
(cd "$work/initrd" && find . | cpio --quiet -o -H newc | gzip -1) > "$work/initrd.gz"

share="security_model=none,readonly=on,multidevs=remap"
timeout 900 $machine -accel tcg -m 2048 -smp 2 -nographic -no-reboot \
	-kernel "$kernel" -initrd "$work/initrd.gz" -append "console=$console quiet panic=-1 rdinit=/init" \
	-virtfs "local,path=$guest,mount_tag=guest,$share" -virtfs "local,path=$root,mount_tag=checkout,$share" \
	< /dev/null | tee "$work/log"
grep -q '^ok' "$work/log"
