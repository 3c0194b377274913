# What the bash clients share: one request, and one value of an answer.
set -euo pipefail
api=$SENDPOLL_URL/api/v1
flags=()
ask() {
  curl -sS -g --max-time 2 --fail-with-body "${flags[@]}" -H "Authorization: Bearer $SENDPOLL_TOKEN" "$@" ||
    { echo "refused: ${*: -1}" >&2; return 1; }
}
json() { ask -H "Content-Type: application/json" "$@"; }
pick() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
texts='import json, sys
for event in json.load(sys.stdin)["data"]["events"]:
    if event.get("type") == "text_chunk":
        sys.stdout.write(event["data"]["content"])
    elif event.get("type") == "error":
        sys.stderr.write("error: " + event["data"]["message"])'
message() { python3 -c 'import json, sys; print(json.dumps({"conversation_id": sys.argv[1], "message": sys.argv[2]}))' "$@"; }
poll() {
  for wait in 2 3 4; do
    if news=$(ask "$api/tasks/$1?from=$2"); then return; fi
    if [[ $news == *7Q* ]]; then echo "the poll was refused: $news" >&2; exit 1; fi
    sleep "$wait"
  done
  echo "the poll failed" >&2
  exit 1
}
start() {
  json -d "{\"workspace_id\":\"$SENDPOLL_WORKSPACE\"}" "$api/workspaces" >/dev/null
  conversation=${SENDPOLL_CONVERSATION:-$(ask -X POST "$api/workspaces/$SENDPOLL_WORKSPACE/conversations" | pick conversation_id)}
  task=$(json -d "$(message "$conversation" "$SENDPOLL_MESSAGE")" "$api/workspaces/$SENDPOLL_WORKSPACE/messages" | pick task_id)
}
follow() {
  offset=0
  while true; do
    poll "$task" "$offset"
    python3 -c "$texts" <<<"$news"
    offset=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["next_offset"])' <<<"$news")
    status=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["status"])' <<<"$news")
    [[ $status == running ]] || break
    sleep 0.5
  done
  if [[ $status == failed ]]; then echo "the task failed" >&2; exit 1; fi
}
