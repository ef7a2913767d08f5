"""Lets Lambdas on Node reach the region that their code names.

MiniStack stands in for the AWS SDK for JavaScript where a Lambda does not bring its own. Its clients forget the
`region` that they are created with, so that each call goes to the Lambda's own region (docs/adr/0010).
"""

from __future__ import annotations

from chime_local.cloudformation._ministack import Lambda
from chime_local.errors import MiniStackError

_CHANGES = (
    (
        "function _signedHeaders(service, method, ep, requestPath, body, headers) {",
        "function _signedHeaders(service, method, ep, requestPath, body, headers, clientRegion) {",
    ),
    (
        "const secretKey = process.env.AWS_SECRET_ACCESS_KEY;\n    if (!accessKey || !secretKey) return headers;\n"
        "    const region = process.env",
        "const secretKey = process.env.AWS_SECRET_ACCESS_KEY;\n    if (!accessKey || !secretKey) return headers;\n"
        "    const region = clientRegion || process.env",
    ),
    (
        "function _jsonRpcRequest(targetPrefix, opName, params, service) {",
        "async function _jsonRpcRequest(targetPrefix, opName, params, service, config) {\n"
        "    const named = config && config.region;\n"
        '    const region = typeof named === "function" ? await named() : named;',
    ),
    (
        '"Content-Length": Buffer.byteLength(body),\n          }),',
        '"Content-Length": Buffer.byteLength(body),\n          }, region),',
    ),
    (
        "_run() { return _jsonRpcRequest(targetPrefix, opName, this._params, service); }",
        "_run(config) { return _jsonRpcRequest(targetPrefix, opName, this._params, service, config); }",
    ),
    (
        "constructor(_cfg) {}\n      send(cmd) { return cmd._run(); }\n    }\n\n    // Bare client",
        "constructor(config) { this._config = config; }\n      send(cmd) { return cmd._run(this._config); }\n    }"
        "\n\n    // Bare client",
    ),
    ("construct(_target, _args) {", "construct(_target, [config]) {"),
    (
        "return (params) => _jsonRpcRequest(targetPrefix, opName, params, service);",
        "return (params) => _jsonRpcRequest(targetPrefix, opName, params, service, config);",
    ),
)


def install(lambdas: Lambda) -> None:
    """Change the script that MiniStack runs Node's Lambdas with; refuses one that is not the known one."""
    script = lambdas.node_script
    for known, fixed in _CHANGES:
        if script.count(known) != 1:
            raise MiniStackError(f"MiniStack's script for Lambdas on Node has no single {known.splitlines()[0]!r}")
        script = script.replace(known, fixed)
    lambdas.node_script = script
