#!/bin/sh
# swarm.sh SIM SECONDS [fresh] - random histories, from the seed of the commit unless `fresh`.
set -eu
sim=$1
seconds=$2
if [ "${3:-}" = fresh ]; then
    exec "$sim" swarm --seconds "$seconds" --quiet
fi
exec "$sim" swarm --seconds "$seconds" --seed "$((${CRDTSYNC_SEED:-1} * 100000))" --quiet
