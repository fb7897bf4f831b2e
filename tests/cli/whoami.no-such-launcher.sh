canfar-split whoami --launcher condor
