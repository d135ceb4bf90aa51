#!/usr/bin/env bash
# A machine with systemd, as far as a test needs one. Nobody boots here: the manager is a user's, root's, and all that it could touch is its own:
# /etc (a copy on write), /run, /tmp, /var/lib, its processes and its branch of the control groups.
#
#     unshare --mount --pid --fork --kill-child --mount-proc --propagation private systemd.sh PROGRAM CONFIG UNIT BRANCH
#
# Installs the program as the unit says in its first lines, and says `ready`. Then it does what the lines of its input say, and says `done CODE`
# after each.
set -eu
program=$1 config=$2 unit=$3 branch=$4

# A host of a land has a /sys of its own.
mount -t cgroup2 own /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$branch"
echo 0 >"/sys/fs/cgroup/$branch/cgroup.procs"
mount -t tmpfs own /run
mkdir -p /run/above /run/work /run/units /run/systemd/system
mount -t overlay own -o lowerdir=/etc,upperdir=/run/above,workdir=/run/work /etc
for folder in /usr/local/bin /var/lib /var/tmp; do mount -t tmpfs own "$folder"; done

useradd --system --home-dir /var/lib/offhook --shell /usr/sbin/nologin offhook
touch /usr/local/bin/offhook
mount --bind "$program" /usr/local/bin/offhook
install -D -m 640 -g offhook "$config" /etc/offhook/offhook.toml
install -m 644 "$unit" /run/units/
# What each unit hangs on by default.
for target in basic shutdown exit; do
  printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$target" >"/run/units/$target.target"
done
# What a boot would have made: places that stand for those that a unit may not see.
install -d -m 0 /run/systemd/inaccessible /run/systemd/inaccessible/dir
install -m 0 /dev/null /run/systemd/inaccessible/reg
mknod -m 0 /run/systemd/inaccessible/chr c 0 0
# Nothing of the checkout is needed any more, and it may lie there.
mount -t tmpfs own /tmp
cd /

# A user's services keep their state and their sockets where that user's programs do: here that is where the system's do.
export XDG_RUNTIME_DIR=/run XDG_CONFIG_HOME=/var/lib XDG_STATE_HOME=/var/lib SYSTEMD_UNIT_PATH=/run/units HOME=/root
chmod 711 "$XDG_RUNTIME_DIR"
/lib/systemd/systemd --user --unit=basic.target --log-target=console </dev/null &
until [ -S "$XDG_RUNTIME_DIR/systemd/private" ]; do kill -0 $!; sleep 0.1; done
# The manager of the system hears its services whoever they run as; a user's is told to.
chmod 666 "$XDG_RUNTIME_DIR/systemd/notify"

echo ready
while read -r line; do
  if eval "$line"; then echo "done 0"; else echo "done $?"; fi
done
