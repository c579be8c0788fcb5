"""Code of the start page, in the order in which it runs."""

# --8<-- [start:fit]
import laten as lt

df = lt.read("clinic")
train, new = df[:1800], df[1800:]
vae = lt.VAE(epochs=40).fit(train)
# --8<-- [end:fit]

# --8<-- [start:look]
columns = ["age", "smoker", "pain", "crp", "cost"]
print(new[columns].head(4))
# --8<-- [end:look]

# --8<-- [start:impute]
print(vae.impute(new)[columns].head(4))
# --8<-- [end:impute]

# --8<-- [start:interval]
low, high = vae.impute_interval(new, coverage=0.9)
hole = new["crp"].isna()
print(low["crp"][hole].head(3).round(1).tolist())
print(high["crp"][hole].head(3).round(1).tolist())
# --8<-- [end:interval]

# --8<-- [start:given]
print(vae.sample(4, given={"smoker": True, "age": ">60"}, seed=1)[columns])
# --8<-- [end:given]

# --8<-- [start:proba]
print(vae.predict_proba(new, "smoker").head(3).round(2))
# --8<-- [end:proba]

# --8<-- [start:score]
print(vae.log_likelihood(new))
# --8<-- [end:score]

# --8<-- [start:odd]
odd = vae.score_samples(new).argmin()
print(new[columns].iloc[[odd]])
print(vae.surprise(new.iloc[[odd]]).iloc[0].sort_values(ascending=False).head(3).round(1))
# --8<-- [end:odd]
