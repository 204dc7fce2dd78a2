"""LocalStack's health page and nothing else, on a free port, which is printed first."""

import http.server
import json

PAGE = {
    "services": {"dynamodb": "available", "iam": "available", "lambda": "available", "s3": "running"},
    "edition": "community",
    "version": "4.14.0",
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        there = self.path == "/_localstack/health"
        self.send_response(200 if there else 404)
        self.end_headers()
        self.wfile.write(json.dumps(PAGE if there else {}).encode())

    def log_message(self, *_: object) -> None:
        pass


with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
