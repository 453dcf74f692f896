@echo off
rem The command "muster" of an installed app: the app's own binary as plain Node, with the CLI out of the app's archive.
setlocal
set ELECTRON_RUN_AS_NODE=1
"%~dp0..\..\Muster.exe" "%~dp0..\app.asar\dist\cli\muster.js" %*
