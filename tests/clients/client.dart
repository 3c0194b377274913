// The Dart client: a connection a call, no status looked at, the offset a static int.

import 'dart:convert';
import 'dart:io';

import 'http.dart' as http;

String setting(String name, String otherwise) => Platform.environment[name] ?? otherwise;

final base = setting('SENDPOLL_URL', 'http://localhost:8091');
final workspace = setting('SENDPOLL_WORKSPACE', 'ws1');
final message = setting('SENDPOLL_MESSAGE', '你好');
final who = {'Authorization': 'Bearer ${setting('SENDPOLL_TOKEN', '<TOKEN>')}'};
final whoAndWhat = {...who, 'Content-Type': 'application/json'};

Future<void> main() async {
  await http.post(Uri.parse('$base/api/v1/workspaces'),
      headers: whoAndWhat, body: jsonEncode({'workspace_id': workspace}));

  final opened = await http.post(Uri.parse('$base/api/v1/workspaces/$workspace/conversations'), headers: who);
  final conversation = jsonDecode(opened.body)['conversation_id'];

  final sent = await http.post(Uri.parse('$base/api/v1/workspaces/$workspace/messages'),
      headers: whoAndWhat,
      body: jsonEncode({'conversation_id': conversation, 'message': message, 'run_mode': 'fast'}));
  final task = jsonDecode(sent.body)['task_id'];

  // The type matters: an int, so that any other kind of offset is a TypeError, as published.
  var offset = 0;
  while (true) {
    final polled = await http.get(Uri.parse('$base/api/v1/tasks/$task?from=$offset'), headers: who);
    final news = jsonDecode(polled.body)['data'];
    offset = news['next_offset'];
    for (final event in news['events']) {
      if (event['type'] == 'text_chunk') print(event['data']['content']);
    }
    if (news['status'] != 'running') break;
    await Future.delayed(const Duration(milliseconds: 500));
  }
}
