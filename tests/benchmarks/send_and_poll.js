// The same send-and-poll as our users, for k6: nothing is validated but that the answers are JSON.
import http from 'k6/http';
import { sleep } from 'k6';

const base = __ENV.BASE_URL;
const interval = parseFloat(__ENV.INTERVAL);
const spread = parseFloat(__ENV.SPREAD);
const json = { Authorization: 'Bearer token', 'Content-Type': 'application/json' };
const posting = { headers: json, tags: { name: 'post' } };
const polling = { headers: { Authorization: 'Bearer token' }, tags: { name: 'poll' } };

export const options = {
  vus: parseInt(__ENV.USERS),
  duration: __ENV.DURATION,
  summaryTrendStats: ['p(50)', 'p(95)', 'p(99)'],
};

let conversation = null;

function post(path, body) {
  return http.post(base + path, body === null ? null : JSON.stringify(body), posting).json();
}

export default function () {
  if (conversation === null) {
    sleep(Math.random() * spread);
    post('/api/v1/workspaces', { workspace_id: 'bench' });
    conversation = post('/api/v1/workspaces/bench/conversations', null).conversation_id;
  }
  const message = { conversation_id: conversation, message: 'hello', run_mode: 'fast' };
  const task = post('/api/v1/workspaces/bench/messages', message).task_id;
  let offset = 0;
  for (;;) {
    const data = http.get(`${base}/api/v1/tasks/${task}?from=${offset}`, polling).json().data;
    offset = data.next_offset;
    if (data.status !== 'running') {
      return;
    }
    sleep(interval);
  }
}
