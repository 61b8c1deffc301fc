# Composites by the refined Henseler-Ogasawara specification, written out by hand for lavaan
# CSI_REFERENCE_DIR=... Rscript henseler_ogasawara.R > henseler_ogasawara.json (lavaan 0.6-14; Holzinger-Swineford)
library(lavaan); library(jsonlite)
d <- read.csv(file.path(Sys.getenv("CSI_REFERENCE_DIR"), "data/holzinger_swineford/holzinger_swineford.csv"))
m <- "
visual =~ 1*x1 + start(0.44)*x2 + start(0.61)*x3
va =~ 1*x2 + start(-0.1)*x1
vb =~ 1*x3 + start(-0.2)*x1
textual =~ 1*x4 + start(0.88)*x5 + start(0.94)*x6
ta =~ 1*x5 + start(0.2)*x4
tb =~ 1*x6 + start(-1)*x4
speed =~ x7 + x8 + x9
x1 ~~ 0*x1
x2 ~~ 0*x2
x3 ~~ 0*x3
x4 ~~ 0*x4
x5 ~~ 0*x5
x6 ~~ 0*x6
va ~~ vb + 0*visual + 0*textual + 0*speed + 0*ta + 0*tb
vb ~~ 0*visual + 0*textual + 0*speed + 0*ta + 0*tb
ta ~~ tb + 0*visual + 0*textual + 0*speed
tb ~~ 0*visual + 0*textual + 0*speed
textual ~ a*visual + start(0.4)*visual
textual ~~ start(1)*textual
visual ~~ start(1.3)*visual
va ~~ start(1.1)*va
vb ~~ start(.8)*vb
ta ~~ start(.7)*ta
tb ~~ start(.2)*tb

speed ~ b*textual + c*visual
ind := a*b
"
f <- sem(m, d, optim.method = "BFGS", control = list(reltol = 1e-14, maxit = 20000))
s <- standardizedSolution(f)
W <- solve(lavInspect(f, "est")$lambda[1:3, c("visual", "va", "vb")])[1, ]
V <- solve(lavInspect(f, "est")$lambda[4:6, c("textual", "ta", "tb")])[1, ]
S <- lavInspect(f, "sampstat")$cov
keep <- s$op == "~" | (s$op == "=~" & s$lhs %in% c("visual", "textual", "speed")) | s$op == ":="
cat(toJSON(list(fit = as.list(fitMeasures(f, c("chisq", "df", "npar", "logl"))), w = W / W[1], v = V / V[1],
  std = data.frame(lhs = s$lhs, op = s$op, rhs = s$rhs, est = s$est.std, se = s$se)[keep, ]), digits = 12, pretty = TRUE, auto_unbox = TRUE))
