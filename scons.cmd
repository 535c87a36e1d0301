@rem The same in WSL, from a Windows shell.
@wsl.exe --cd "%~dp0." ./scons %*
