canfar-split whoami me
