// The part of package:http's interface that the Dart client uses, over dart:io, with that package's documented rules
// for character sets and header names in two eras, since they changed and both are in use:
//
//                                        http_1_3 (up to 1.3.0)             current (1.7)
//   answer without a charset             Latin-1                            UTF-8 if application/json, else Latin-1
//   request's application/json           gets "; charset=utf-8"             stays as it is
//   case of the request's header names   lower                              as written
//
// In both: an unknown charset is read as Latin-1, a Content-Type that does not parse throws when the body is read,
// a client lives for one call, and dart:io's own defaults decide on redirects and on gzip.

import 'dart:convert';
import 'dart:io';
import 'dart:typed_data';

final bool _current = switch (Platform.environment['SENDPOLL_DART_HTTP'] ?? 'current') {
  'current' => true,
  'http_1_3' => false,
  final other => throw ArgumentError('SENDPOLL_DART_HTTP is $other; give current or http_1_3'),
};

Future<Response> get(Uri url, {Map<String, String>? headers}) => _send('GET', url, headers, null);

Future<Response> post(Uri url, {Map<String, String>? headers, String? body}) => _send('POST', url, headers, body);

Future<Response> _send(String method, Uri url, Map<String, String>? headers, String? body) async {
  final client = HttpClient();
  try {
    final request = await client.openUrl(method, url);
    final bytes = body == null ? Uint8List(0) : utf8.encode(body);
    request.contentLength = bytes.length;
    for (final MapEntry(key: name, :value) in (headers ?? const {}).entries) {
      final isJson = name.toLowerCase() == 'content-type' && value == 'application/json';
      request.headers.set(name, isJson && !_current ? '$value; charset=utf-8' : value, preserveHeaderCase: _current);
    }
    request.add(bytes);
    final answer = await request.close();
    final collected = BytesBuilder(copy: false);
    await answer.forEach(collected.add);
    return Response(answer.statusCode, collected.takeBytes(), answer.headers.value('content-type'));
  } finally {
    client.close();
  }
}

class Response {
  Response(this.statusCode, this.bodyBytes, this._contentType);

  final int statusCode;
  final Uint8List bodyBytes;
  final String? _contentType;

  String get body => _encoding(_contentType ?? 'application/octet-stream').decode(bodyBytes);
}

Encoding _encoding(String contentType) {
  final media = _MediaType.parse(contentType);
  final named = media.parameters['charset'];
  if (named != null) return Encoding.getByName(named) ?? latin1;
  return _current && media.essence == 'application/json' ? utf8 : latin1;
}

/// RFC 9110's `type/subtype *( OWS ";" OWS name "=" ( token / quoted-string ) )`, and nothing else.
class _MediaType {
  _MediaType(this.essence, this.parameters);

  factory _MediaType.parse(String text) {
    final whole = RegExp('^$_space($_token/$_token)((?:$_parameter)*)$_space\$').firstMatch(text);
    if (whole == null) throw FormatException('Invalid media type', text);
    final parameters = {
      for (final found in RegExp(_parameter).allMatches(whole[2]!))
        found[1]!.toLowerCase(): found[2] ?? found[3]!.replaceAllMapped(RegExp(r'\\(.)'), (escape) => escape[1]!),
    };
    return _MediaType(whole[1]!.toLowerCase(), parameters);
  }

  static const _space = r'[ \t]*';
  static const _token = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+";
  static const _parameter = '$_space;$_space($_token)=(?:($_token)|"((?:[^"\\\\]|\\\\.)*)")';

  final String essence;
  final Map<String, String> parameters;
}
