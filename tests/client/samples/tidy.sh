#!/bin/sh
# A client that does everything right, and one slip at a time where SLIP names it. Written with curl.
set -eu
url="$ORDERPROOF_BASE_URL/ordermanagement/v1/orders/$ORDERPROOF_ORDER_ID"
key=$(cat /proc/sys/kernel/random/uuid)
file=$(mktemp)
trap 'rm -f "$file"' EXIT

try=1
while :; do
  if [ "$try" -gt 1 ]; then
    sleep 1.1
    [ "${SLIP:-}" = "new key" ] && key=$(cat /proc/sys/kernel/random/uuid)
  fi
  status=$(curl --silent --max-time 1.5 --output "$file" --write-out '%{http_code}' \
    --user "$ORDERPROOF_USERNAME:$ORDERPROOF_PASSWORD" \
    -H "Klarna-Idempotency-Key: $key" -H 'Content-Type: application/json' \
    --data "{\"captured_amount\": $ORDERPROOF_AMOUNT}" "$url/captures") && sent=0 || sent=$?
  [ "$sent" -eq 0 ] || status=000
  case "$status" in
    2*) exit 0 ;;
    000 | 409 | 429 | 5*) ;;
    *) [ "${SLIP:-}" = "blind to refusals" ] && exit 0; echo "refused: $status" >&2; exit 1 ;;
  esac
  [ "$try" -lt 4 ] || { echo "no answer" >&2; exit 1; }
  try=$((try + 1))
done
