// Unpacks the Chromium of @sparticuz/chromium and prints where it is, and where the libraries are that it may lack.
import chromium from "@sparticuz/chromium";

const executable = await chromium.executablePath();
console.log(JSON.stringify({ executable, libraries: process.env.LD_LIBRARY_PATH ?? "" }));
