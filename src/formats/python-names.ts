/*
 * Names in generated Python code.
 */

/** Keywords, and the names that the generated code uses. */
const RESERVED = new Set(
  (
    "and as assert async await break class continue def del elif else except False finally for from global if import in is " +
    "lambda None nonlocal not or pass raise return True try while with yield self torch nn json network predict"
  ).split(" "),
);

/** The attributes of nn.ModuleDict, which refuses modules with these names. Newer versions have some more. */
const ATTRIBUTES = new Set(
  (
    "T_destination add_module apply bfloat16 buffers call_super_init children clear compile cpu cuda double dump_patches eval " +
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu items keys load_state_dict " +
    "modules mtia named_buffers named_children named_modules named_parameters parameters pop register_backward_hook " +
    "register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook " +
    "register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module " +
    "register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state " +
    "set_submodule share_memory state_dict to to_empty train training type update values xpu zero_grad"
  ).split(" "),
);

/** A name that is none of those used, with a number if necessary. */
export function freeName(name: string, used: Iterable<string>): string {
  const taken = new Set(used);
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? name : `${name}_${number}`;
    if (!taken.has(numbered)) return numbered;
  }
}

/** A variable for a value with a name of letters, digits, "_" and "-", or the position of a layer. */
export function variableFor(name: string, used: Iterable<string>): string {
  const word = name.replaceAll("-", "_");
  const valid = /^\d/.test(word) ? `layer_${word}` : word;
  return freeName(RESERVED.has(valid) ? `${valid}_` : valid, used);
}

/** A key of an nn.ModuleDict for a layer. */
export const moduleKeyFor = (name: string, used: Iterable<string>): string =>
  freeName(ATTRIBUTES.has(name) ? `${name}_` : name, used);
