#!/bin/sh
# A worker in shell: `bpmnd work ship-parcel -- sh examples/order/ship_parcel.sh`
# The job comes on stdin as one line of JSON, the parcel goes to stdout as JSON.

job=$(cat)
field() {
    printf '%s' "$job" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"
}

if [ -z "$(field address)" ]; then
    echo "there is no address on the label" >&2
    exit 1
fi
printf '{"parcel": "P-%s"}\n' "$(field jobKey)"
