#!/bin/sh
# Build the server: build.sh FOLDER writes FOLDER/tpp_mono.exe.
set -eu
out=${1:?usage: build.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
mcs -nologo -warnaserror -optimize+ -langversion:7 -out:"$out/tpp_mono.exe" \
    -r:System.Core.dll -r:System.Xml.dll -r:System.Numerics.dll -r:System.Runtime.Serialization.dll \
    -r:/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll \
    "$here"/src/*.cs
