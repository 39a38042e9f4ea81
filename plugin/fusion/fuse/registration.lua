FuRegisterClass("PlateKey", CT_Tool, {
  REGS_Name = "PlateKey",
  REGS_Category = "Matte",
  REGS_OpIconString = "PKy",
  REGS_OpDescription = "Keys a subject with a clean plate instead of a green screen",
  REGS_Company = "PlateKey",
  REG_OpNoMask = true,
  REG_NoBlendCtrls = true,
  REG_NoObjMatCtrls = true,
  REG_NoMotionBlurCtrls = true,
  REG_TimeVariant = true, -- it looks at another frame than the one it makes
  REG_Version = VERSION,
})
