/*
 * The kernel of products by subgroup matrices. Devices with them are few, so it is loaded where one is used.
 */
import rounding from "../../../shaders/float16_rounding.wgsl?raw";
import product from "../../../shaders/matmul_subgroup_matrix.wgsl?raw";
import operand from "../../../shaders/operand_float16.wgsl?raw";
import matrices from "../../../shaders/subgroup_matrix.wgsl?raw";

export const subgroupMatrixSource = [rounding, operand, matrices, product].join("\n");
