# Makes one program of the examples of docs/api.md, and a file with what each prints:
#   awk -v folder=FOLDER -f extract.awk docs/api.md
# A block "c" whose first line begins with # or static stands before the functions; of any other one a function is made, and the
# block "text" behind it is what that prints.
/^```/ {
    if (inside == "") {
        inside = substr($0, 4)
        first = 1
    } else {
        if (inside == "c" && body)
            print "    return;\n}\n" >program
        inside = ""
    }
    next
}
BEGIN { program = folder "/examples.c" }
inside == "c" {
    if (first) {
        body = !/^(#|static )/
        if (body)
            print "static void example_" ++count "(void)\n{" >program
    }
    first = 0
    print (body && $0 != "" ? "    " : "") $0 >program
}
inside == "text" { print >(folder "/wanted." count) }
END {
    print "int main(int argc, char **argv)\n{" >program
    print "    static void (*const examples[])(void) = {" >program
    for (i = 1; i <= count; i++)
        print "        example_" i "," >program
    print "    };\n    if (argc == 2)\n        examples[atoi(argv[1]) - 1]();\n    return 0;\n}" >program
    print count >(folder "/count")
}
