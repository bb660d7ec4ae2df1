@echo off
rem Runs velo zookeeper-shell: the velo on PATH, else the one built in this checkout.
setlocal
set "VELO=velo"
where velo >nul 2>nul && goto run
set "VELO=%~dp0..\..\target\release\velo.exe"
if exist "%VELO%" goto run
set "VELO=%~dp0..\..\target\debug\velo.exe"
if exist "%VELO%" goto run
echo velo is neither on PATH nor built in %~dp0..\..\target 1>&2
echo hint: cargo build --release 1>&2
exit /b 127
:run
"%VELO%" zookeeper-shell %*
exit /b %ERRORLEVEL%
