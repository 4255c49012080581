#!/bin/sh
# install_test.sh - an installed tree is complete, and a program can be built on it.
. "$(dirname "$0")/table.sh"
root=$tmp/root
DESTDIR=$root cmake --install "$BUILD" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
prefix=$root$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$BUILD/CMakeCache.txt")

for file in bin/crdtsync libexec/crdtsync/crdtsync-node \
    share/man/man1/crdtsync.1.gz share/man/man5/crdtsync-config.5.gz \
    share/bash-completion/completions/crdtsync share/zsh/vendor-completions/_crdtsync \
    share/fish/vendor_completions.d/crdtsync.fish lib/systemd/user/crdtsync.service \
    lib/systemd/user/crdtsync-scan.service lib/systemd/user/crdtsync-scan.timer \
    share/doc/crdtsync/copyright share/doc/crdtsync/README.md; do
    test -s "$prefix/$file" || fail "$file is not installed"
done
"$prefix/bin/crdtsync" --version >/dev/null || fail "the installed program does not run"
# What a running node does not do, a second program does, which is found from the first.
mkdir "$tmp/work"
echo a >"$tmp/work/a"
"$prefix/bin/crdtsync" --home "$tmp/home" init >/dev/null &&
    "$prefix/bin/crdtsync" --home "$tmp/home" folder add "$tmp/work" --id work >/dev/null &&
    "$prefix/bin/crdtsync" --home "$tmp/home" scan --json | grep -q '"added":1' ||
    fail "the installed program does not find crdtsync-node"
# Without that one it says so, and does nothing.
cp "$prefix/bin/crdtsync" "$tmp/alone"
got=0
said=$("$tmp/alone" --home "$tmp/home" scan 2>&1) || got=$?
test "$got" = 1 || fail "alone, it ends with $got"
case $said in
*crdtsync-node*install*) ;;
*) fail "alone, it says: $said" ;;
esac

# The units name the program where it will be, and systemd accepts them.
sed -i "s|^ExecStart=|ExecStart=$root|" "$prefix"/lib/systemd/user/*.service
XDG_RUNTIME_DIR=$tmp MANPATH=$prefix/share/man \
    systemd-analyze --user verify "$prefix"/lib/systemd/user/crdtsync* >&2 || fail "systemd refuses a unit"

# Each header stands alone, in C and in C++.
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name crdtsync.pc)")
export PKG_CONFIG_PATH
cflags=$(pkg-config --cflags crdtsync)
include=$prefix/include/crdtsync
headers=$(cd "$include" && find . -name '*.h' | sed 's|^\./||' | sort)
test "$(echo "$headers" | wc -l)" -ge 30 || fail "there are no headers"
for header in $headers; do
    for language in "c -std=c17" "c++ -std=c++17"; do
        # shellcheck disable=SC2086
        echo "#include <$header>" |
            cc -x $language -Wall -Wextra -Werror $cflags -fsyntax-only - ||
            fail "$header does not compile alone as ${language%% *}"
    done
done
# C++ finds the C names.
cat >"$tmp/call.cc" <<'EOF'
#include <io/daemon.h>
#include <node/node.h>
int main(int argc, char **)
{
    if (argc > 1) {
        cs_daemon_interrupt(nullptr);
        cs_node_stop(nullptr);
    }
    return 0;
}
EOF
libs=$(pkg-config --libs crdtsync)
# shellcheck disable=SC2086
c++ -std=c++17 -Wall -Wextra -Werror "$tmp/call.cc" $cflags $libs -o "$tmp/call" && "$tmp/call" ||
    fail "a program in C++ cannot be linked"

# The archive defines no name that could collide.
nm -g --defined-only "$(find "$prefix" -name libcrdtsync.a)" | awk 'NF == 3 { print $3 }' |
    grep -vE '^(cs_|crdtsync__)' >&2 && fail "libcrdtsync.a defines the names above"

# The example, as its own comment says.
mkdir "$tmp/replicas"
# shellcheck disable=SC2086
cc -std=gnu17 -Wall -Wextra -Werror "$SOURCE/examples/two_replicas.c" $cflags $libs -o "$tmp/two_replicas" ||
    fail "the example does not compile"
timeout 300 "$tmp/two_replicas" "$tmp/replicas" >"$tmp/out" || fail "the example fails"
test "$(tail -n 1 "$tmp/out")" = equal || fail "the example's replicas differ: $(cat "$tmp/out")"
diff -r --exclude=.crdtsync "$tmp/replicas/desk" "$tmp/replicas/laptop" >&2 || fail "the example's trees differ"
test -s "$tmp/replicas/desk/reply.txt" || fail "the example's reply did not arrive"
exit $bad
