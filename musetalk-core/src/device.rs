use std::fmt;

/// Where the networks run.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Device {
    /// The fastest that starts: CUDA, DirectML, Core ML, then the CPU, of those this build knows.
    #[default]
    Auto,
    /// Always available.
    Cpu,
    /// NVIDIA, by ordinal. Needs the feature `cuda` and a runtime library with that provider.
    Cuda(u32),
    /// Any DirectX 12 adapter, by ordinal. Needs the feature `directml`.
    DirectMl(u32),
    /// Apple Neural Engine and GPU. Needs the feature `coreml`.
    CoreMl,
    /// Intel CPUs and GPUs through OpenVINO. Needs the feature `openvino`.
    OpenVino,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
            Self::DirectMl(ordinal) => write!(f, "directml:{ordinal}"),
            Self::CoreMl => f.write_str("coreml"),
            Self::OpenVino => f.write_str("openvino"),
        }
    }
}

impl std::str::FromStr for Device {
    type Err = crate::Error;

    /// Reads what [`Display`](fmt::Display) writes; an ordinal that is left out is 0.
    fn from_str(text: &str) -> crate::Result<Self> {
        let (name, ordinal) = text.split_once(':').unwrap_or((text, "0"));
        let ordinal: u32 = ordinal.parse().map_err(|error| unknown(text).caused_by(error))?;
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(ordinal)),
            "directml" => Ok(Self::DirectMl(ordinal)),
            "coreml" => Ok(Self::CoreMl),
            "openvino" => Ok(Self::OpenVino),
            _ => Err(unknown(text)),
        }
    }
}

fn unknown(text: &str) -> crate::Error {
    crate::Error::new(
        crate::ErrorKind::InvalidInput,
        format!("device {text:?} is unknown; use auto, cpu, cuda:0, directml:0, coreml or openvino"),
    )
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn a_device_reads_what_it_writes() {
        for device in [
            Device::Auto,
            Device::Cpu,
            Device::Cuda(1),
            Device::DirectMl(0),
            Device::CoreMl,
            Device::OpenVino,
        ] {
            assert_eq!(device.to_string().parse::<Device>().unwrap(), device);
        }
        assert!("gpu".parse::<Device>().is_err());
        assert!("cuda:x".parse::<Device>().is_err());
    }
}
