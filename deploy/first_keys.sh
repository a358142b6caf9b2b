#!/bin/sh
# Makes the first keys of a data folder, once: first.key for whoever owns the folder, and a key for
# Prometheus, which may only read. The second lies in a folder that no other container sees.
set -eu
data=${WAGGLE_DATA_FOLDER:-/var/lib/waggle/data}
scrape=${WAGGLE_SCRAPE_FOLDER:-/var/lib/waggle-scrape}
mkdir -p "$data"
if [ ! -s "$data/first.key" ]; then
    umask 077
    waggle keys new first --scope app --scope analyst --scope admin --data "$data" >"$data/first.key"
fi
if [ ! -s "$scrape/key" ]; then
    umask 022 # Prometheus is another user
    waggle keys new prometheus --scope analyst --data "$data" >"$scrape/key"
fi
