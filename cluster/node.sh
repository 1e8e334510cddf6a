#!/bin/sh
# The entry point of a node's container.
#   node.sh COMMAND …          be COMMAND; settings read the secrets in /run/secrets by themselves
#   node.sh sandbox COMMAND …  the same, after starting this node's own Docker engine (needs a privileged container)
#   node.sh engine             start the engine and return (for a Kubernetes postStart hook)
set -eu

cgroups=${RLP_CGROUPS:-/sys/fs/cgroup} # tests have another
# "/" in a control group namespace of our own; the path of this container in that of the host, which Kubernetes gives to
# privileged pods. Containers must be below it: elsewhere the pod's limits would not hold for them.
own=$(sed -n 's/^0:://p' "${RLP_OWN_CGROUP:-/proc/self/cgroup}")
own=${own%/}

split_control_groups() {
    # cgroup v2: a group with controlled children cannot have processes of its own
    root=$cgroups$own
    if [ -f "$root/cgroup.controllers" ] && [ -f "$root/cgroup.type" ]; then
        mkdir -p "$root/node"
        while read -r pid; do echo "$pid" >"$root/node/cgroup.procs" 2>/dev/null || :; done <"$root/cgroup.procs"
        sed -e 's/ / +/g' -e 's/^/+/' "$root/cgroup.controllers" >"$root/cgroup.subtree_control"
    fi
}

engine() {
    if docker version >/dev/null 2>&1; then
        return
    fi
    split_control_groups
    log=${RLP_ENGINE_LOG:-/var/log/dockerd.log}
    rm -f /var/run/docker.pid
    setsid dockerd --bridge=none --iptables=false --cgroup-parent="$own/docker" >>"$log" 2>&1 </dev/null &
    for _ in $(seq 300); do
        if docker version >/dev/null 2>&1; then
            python -m cluster.sandbox_image
            return
        fi
        sleep 0.1
    done
    tail -20 "$log" >&2
    echo "node.sh: the Docker engine does not answer; is this container privileged?" >&2
    exit 1
}

case "${1:-}" in
engine) engine ;;
sandbox)
    shift
    engine
    umask 077
    exec "$@"
    ;;
"")
    echo "node.sh: what is this node to run?" >&2
    exit 2
    ;;
*)
    umask 077 # what the platform writes is its own
    exec "$@"
    ;;
esac
