// One measured process on Node: subject.js cold|warm HANDLER COUNT ANSWER_URL; prints a line of JSON.
"use strict";
const fs = require("node:fs");

const [mode, path, count, url] = process.argv.slice(2);
const app = "arn:aws:chime:us-east-1:111122223333:app-instance/00000000-0000-4000-8000-000000000001";
// The peer answers at port 443, whatever the ResponseURL says.
const https = require("node:https");
const request = https.request;
https.request = (options, ...more) => request({ ...options, port: new URL(url).port }, ...more);
process.removeAllListeners("warning");
console.log = console.info = () => {}; // handlers log

function event(number) {
  const parameters = {
    AppInstanceArn: app,
    ChimeBearer: `${app}/user/operator`,
    Name: "one",
    Mode: "RESTRICTED",
    Privacy: "PRIVATE",
    ClientRequestToken: `token-${number}`,
  };
  const call = {
    service: "chime-sdk-messaging",
    action: "createChannel",
    parameters,
    physicalResourceId: { responsePath: "ChannelArn" },
  };
  return {
    RequestType: "Create",
    ResponseURL: url,
    StackId: "arn:aws:cloudformation:us-east-1:111122223333:stack/bench/00000000-0000-4000-8000-000000000002",
    RequestId: `Create-${number}`,
    ResourceType: "Custom::AWS",
    LogicalResourceId: `Channel${number}`,
    ResourceProperties: { ServiceToken: "arn", InstallLatestAwsSdk: "false", Create: JSON.stringify(call) },
  };
}

const context = { logStreamName: "log", functionName: "function", getRemainingTimeInMillis: () => 480000 };
const seconds = (since) => {
  const used = process.cpuUsage(since);
  return (used.user + used.system) / 1e6;
};

async function main() {
  let began = process.cpuUsage();
  const { handler } = require(path);
  if (mode === "cold" && Number(count) > 0) {
    await handler(event(0), context); // the client is made with the first call
  }
  let cpu = seconds(began);
  if (mode === "warm") {
    for (let number = 0; number < Number(count); number += 1) {
      if (number === 3) began = process.cpuUsage();
      await handler(event(number), context);
    }
    cpu = seconds(began) / Math.max(1, Number(count) - 3);
  }
  const peak = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]);
  process.stdout.write(`${JSON.stringify({ cpu, peak_kib: peak })}\n`, () => process.exit(0));
}

main();
