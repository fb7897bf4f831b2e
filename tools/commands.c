#include "tool.h"

const struct command *const tool_commands[] = {
    &commands_split[0], &commands_split[1], &commands_split[2],
    &commands_split[3], &commands_split[4], &command_plan,
    &command_run,       &command_launch,    &command_status,
    &command_verify,    &command_items,     &command_explain,
    &command_retry,     &command_stop,      &command_log,
    &command_whoami,    &command_simulate,  NULL,
};
